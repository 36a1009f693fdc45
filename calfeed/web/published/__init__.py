"""The published state as web processes hold it, and the responses made from it in advance."""
