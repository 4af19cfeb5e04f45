"""The adapters, and how to tell which one an app needs.  The doors are in `anysgi`; nothing is imported here."""
