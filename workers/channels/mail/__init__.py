"""E-mail as another means of a ticket: out by SMTP, back by what a mail server posts to the ingress."""
