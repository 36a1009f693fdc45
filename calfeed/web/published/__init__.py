"""The published state as web processes hold it, and what is made of it in advance."""
