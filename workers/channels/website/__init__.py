"""The website channel: our own widget on companies' pages, and the side of it that runs in the ingress."""
