"""Set a container's image to one that it ran before; another one is never taken."""

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.domain.action import ActionFacts, Effect, Level
from tools.clients.arguments import Arguments
from tools.clients.blast import rollout_unavailable
from tools.clients.changing import Change, ChangesOneObject
from tools.clients.containers import (
    WORKLOADS,
    container_at,
    hindrance,
    images_of,
    place_of,
    templates_of,
)
from tools.clients.kubernetes import Patch
from tools.clients.writing import Body, words


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageArguments:
    """Which workload's container gets which image."""

    namespace: str
    kind: str
    name: str
    container: str
    image: str


class SetImage(ChangesOneObject[ImageArguments]):
    """Changes the image and nothing else of the template; the kept revisions say which may be."""

    facts: ClassVar[ActionFacts] = ActionFacts(
        name="set_image",
        summary="set a container's image to one that an earlier revision ran",
        effect=Effect.ROLLBACK,
        system="kubernetes",
        reversible=True,
        highest_level=Level.L4,
        arguments={
            "namespace": "namespace of the workload",
            "kind": f"kind of the workload: {', '.join(WORKLOADS)}",
            "name": "name of the workload",
            "container": "name of the container",
            "image": "image of an earlier revision",
        },
    )

    @classmethod
    def parse(cls, arguments: Any) -> ImageArguments:
        """Return checked arguments. Raises: Malformed."""
        read = Arguments(
            cls.facts.name, arguments, "namespace", "kind", "name", "container", "image"
        )
        return ImageArguments(
            namespace=read.name("namespace"),
            kind=read.one_of("kind", *WORKLOADS),
            name=read.name("name"),
            container=read.name("container"),
            image=read.image("image"),
        )

    def kind_of(self, args: ImageArguments) -> str:
        """Return the kind that is named."""
        return args.kind

    async def change(self, args: ImageArguments, body: Body) -> Change:
        """Return the other image, if a kept revision had it."""
        place = place_of(body, args.container)
        return Change(
            build=lambda _: [
                {
                    "op": "replace",
                    "path": f"/spec/template/spec/containers/{place}/image",
                    "value": args.image,
                }
            ],
            how=Patch.JSON,
            command=(
                f"kubectl set image {args.kind.lower()}/{args.name} "
                f"{args.container}={args.image} -n {args.namespace}"
            ),
            unavailable=rollout_unavailable(body),
            why_not=await self._why_not(args, body),
        )

    async def undo(self, args: ImageArguments, body: Body) -> dict[str, Any] | None:
        """Return the image of now; its revision is kept as well."""
        place = place_of(body, args.container)
        if place is None:
            return None
        return {
            "namespace": args.namespace,
            "kind": args.kind,
            "name": args.name,
            "container": args.container,
            "image": str(container_at(body, place).get("image")),
        }

    async def _why_not(self, args: ImageArguments, body: Body) -> str:
        found = hindrance(body, args.container)
        if found:
            return found
        images = images_of(await templates_of(self._objects, body), args.container)
        if args.image in images:
            return ""
        shown = ", ".join(images[:5]) or "none"
        return f"{words(body)} never ran {args.image}; its kept revisions ran: {shown}"
