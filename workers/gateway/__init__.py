"""The gateway: HTTP and WebSocket for agents and page admins."""
