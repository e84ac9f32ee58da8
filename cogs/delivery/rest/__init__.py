"""Requests to Discord's REST API: messages and threads, and what its errors and its clock mean."""
