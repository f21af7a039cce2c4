"""What keeps a cluster from serving claims, found by reading it: ``groundplane doctor``.

`cluster` reads, once, into a `Snapshot` of plain data; the modules in ``checks`` turn it into findings and read
nothing; `printing` shows them.
"""
