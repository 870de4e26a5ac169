# Runs inside the build, without network: installs the context's wheels into /layer, each checked against its hash.
set -eu
pip="$(echo /wheels/pip-*.whl)/pip"
python3 "$pip" install --quiet --no-index --find-links /wheels --no-deps --require-hashes --requirement /requirements.txt \
    --prefix /layer --no-compile --no-cache-dir --no-warn-script-location --root-user-action ignore
# Compiled once here: a read-only root cannot keep bytecode. Unchecked, since layers do not keep times everywhere. Some
# packages ship files for newer Pythons, which do not compile and are not imported: no reason to fail.
python3 -m compileall -qq -j 0 --invalidation-mode unchecked-hash /layer || true
chmod -R g=u,o+rX /layer
