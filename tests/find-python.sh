# Prints the interpreter of the virtual environments: python3 if it is new enough, as that is the one which whoever works
# here has chosen or their distribution has optimised; otherwise the newest there is. A name on PATH may be a shim that does
# not run, so each is tried.
suits() { "$1" -c "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; }

for python in python3 python3.14 "$HOME"/.pyenv/versions/3.14.*/bin/python3 python3.13 "$HOME"/.pyenv/versions/3.13.*/bin/python3 \
    python3.12 "$HOME"/.pyenv/versions/3.12.*/bin/python3 python3.11 "$HOME"/.pyenv/versions/3.11.*/bin/python3; do
    if suits "$python"; then
        command -v "$python"
        exit 0
    fi
done
