"""The contract with receivers: each type of message with its schema, example and documents."""
