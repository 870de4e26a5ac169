"""One credential of every kind that the scan knows, none of them real."""

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "private key": "-----BEGIN RSA " + "PRIVATE KEY-----\n" + "MIIE" * 16,
    "AWS access key": "AKIA" + "Q" * 16,
    "Hugging Face token": "hf_" + "a" * 34,
    "GitHub token": "ghp_" + "a" * 36,
    "Slack token": "xoxb-" + "1" * 24,
    "Google API key": "AIza" + "a" * 35,
    "API key": "sk-proj-" + "a" * 40,
    "PyPI token": "pypi-AgE" + "a" * 60,
    "password in a URL": "https://me:" + "correcthorse@wheels.example.com/simple",
}
