"""A server tried from both sides: a probe app inside of it, and its clients on the wire.

What the app cannot see and the client cannot see, the two tell together: `_probe_line` joins them.
"""
