"""The published state in the memory of web processes, and the responses made from it in advance."""
