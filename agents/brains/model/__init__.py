"""The model brain. It imports what is heavy (pydantic-ai, the SDKs): only processes that think import this package."""
