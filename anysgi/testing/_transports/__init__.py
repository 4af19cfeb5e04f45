"""Transports that put an app behind an httpx2 or httpx client, chunk by chunk, and the lifespan around it."""
