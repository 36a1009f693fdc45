"""Mail: written when it is sent, through the operator's own SMTP server; and what bounces."""
