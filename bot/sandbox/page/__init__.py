"""The chat client's web page: plain HTML, CSS and ES modules, and the routes that serve them."""
