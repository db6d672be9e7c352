"""Runs inside the user's process: the frames of docs/runtime-protocol.md, the handler, its log. Standard library only."""
