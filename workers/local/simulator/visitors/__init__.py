"""Plays visitors of a website: they chat as the widget does, over its sockets, from an allowed page."""
