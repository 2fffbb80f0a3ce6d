"""Composition root: settings, adapters, policies and catalogue make a running bot."""
