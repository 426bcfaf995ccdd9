"""The Django project, the data plane, and what people click through across packages."""
