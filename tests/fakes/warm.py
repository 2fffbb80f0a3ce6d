"""What every life of the bot would load and prove anew; here once, in the server that is forked.

Only pure functions of files that no test changes are remembered.
"""

import functools

import kubernetes.client  # noqa: F401
import PIL.ImageDraw
import PIL.ImageFont  # noqa: F401
import prometheus_api_client  # noqa: F401
import prometheus_client  # noqa: F401
import uvicorn  # noqa: F401

import bot.app.serving as serving
import tools.catalog
from bot.reasoning.analyzers import discover

tools.catalog.actions()
tools.catalog.read_tool_types()
discover()
serving.require_proof = functools.cache(serving.require_proof)
serving.require_proof()
serving.load_runbooks = functools.cache(serving.load_runbooks)
serving.load_runbooks(actions=frozenset(tools.catalog.actions()))
