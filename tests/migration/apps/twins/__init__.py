"""The same small shop twice: in Flask, and in FastAPI as a careful team would move it; and that with one mistake."""
