"""Recordings that are no files of their own: members of archives, cells of Parquet files, files at a URL.

Each is a small value that another process can be sent and that opens lazily. What has to be known of a holder (where
its members lie) is learned once a process. The modules import neither pandas nor anything heavy before it is needed.
"""
