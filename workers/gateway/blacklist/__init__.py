"""Who is kept out: customers, and addresses of websites' visitors."""
