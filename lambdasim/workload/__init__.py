"""The random part of a run: when requests come, how long they take, how they fail. Everything here is drawn by key.

Between ``scenario`` (what was asked for) and ``engine`` (what happens). Nothing here knows a limit of AWS.
"""
