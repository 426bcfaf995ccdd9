"""Django's backend for PostgreSQL, whose connections are bounded in number, and given up when nothing comes."""
