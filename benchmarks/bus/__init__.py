"""What the bus reaches, against others and against a bare loop, in turn in one run: `make bench`."""
