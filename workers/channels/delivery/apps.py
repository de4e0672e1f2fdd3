"""The app that a page is connected with: without its secret no call is proven and no token exchanged."""

from __future__ import annotations

from config.errors import UsageError
from config.ingress import IngressSettings
from config.problem import variable


def check_app(ingress: IngressSettings, channel: str, app: str | None, *, exchanges: bool) -> str | None:
    """Return what cannot be told here of an app that somebody has named, or nothing where all is well.

    `exchanges`: a refresh token was given, which the app's secret exchanges.

    Raises UsageError when the channel has no apps, the settings name others, or `exchanges` has none.
    """
    known = {
        "messenger": [each.name for each in ingress.messenger_apps],
        "zalo": [each.app_id for each in ingress.zalo_apps],
    }.get(channel)
    if app is None:
        if exchanges:
            raise UsageError("a refresh token is exchanged by its app: name it with --app")
        return None
    if known is None:
        raise UsageError(f"{channel} has no apps: leave out --app")
    setting = variable("ingress", f"{channel}_apps")
    if not known:
        return f"{setting} is not set here: whether delivery knows the app {app} was not looked at"
    if app not in known:
        raise UsageError(f"{setting} has no app {app}: it has {', '.join(sorted(known))}")
    return None
