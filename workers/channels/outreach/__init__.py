"""What goes out of tickets by other means than the channel: e-mails, SMS, calls."""
