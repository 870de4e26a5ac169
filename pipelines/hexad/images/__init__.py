"""Container images: what each holds, its locked requirements, its build, its software bill of materials."""
