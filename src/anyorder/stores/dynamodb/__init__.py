"""Amazon DynamoDB: one item holds a row and its memory."""
