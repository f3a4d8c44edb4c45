"""Alembic's way in: on the connection that `callboard.ledger.schema.migrate` hands over."""

from alembic import context

from callboard.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
