"""How well models review: small real changes, half of them clean, judged by one reviewer and by the trio (docs/benchmarks.md)."""
