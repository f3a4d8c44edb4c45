"""`[deploy.ready]`: what shows that the service is ready for people, where Callboard cannot see it by itself."""

from __future__ import annotations

from callboard.agents.settings import Table, Texts


class ReadySettings(Table):
    """Commands get CALLBOARD_ENV, and CALLBOARD_URL where a release answers; they must exit 0."""

    authentication: Texts = ()
    """Commands that log in and are let in, and do not and are not."""
    monitoring: Texts = ()
    """Commands that find the service in what watches it, with somebody to be told."""
    telemetry: Texts = ()
    """Commands that find the service's logs, metrics or traces where they are collected."""
    documentation: Texts = ()
    """Files of the repository for whoever runs the service."""

    @property
    def commands(self) -> dict[str, tuple[str, ...]]:
        """Item of the checklist -> what shows it."""
        return {"authentication": self.authentication, "monitoring": self.monitoring, "telemetry": self.telemetry}
