"""How each app is made: `make()` returns it, and keeps its files in the working directory."""
