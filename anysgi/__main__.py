"""`python -m anysgi`: the same as the `anysgi` command."""

from anysgi.cli import main

if __name__ == "__main__":  # worker processes import this file again under another name
    main(prog_name="anysgi")
