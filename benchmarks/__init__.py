"""Benchmarks of anysgi against its peers: `make bench`, or `python -m benchmarks --help`.

Nothing here is a test: no figure makes a build fail.  Every number is one side of a comparison made inside one run,
with the contenders taking turns in short slices, because an absolute figure from one machine tells nobody anything.

    measure    turns, slices, medians, ratios         inprocess  the cases that need no server (run by `child`)
    payload    bytes whose loss or doubling shows     serving    the cases over real servers and sockets
    apps       the raw applications                   memory     1 GiB through an adapter, and who ran ahead
    sites      the same with Flask, Starlette, …      imports    what `import anysgi` costs and brings in
    drivers    play the server, count every byte      targets    the figures to reach, nothing else
    peers      how each adapter is built              report     tables and RESULTS.md
    machine    what it ran on                         readme     the ratios that README.md shows
"""
