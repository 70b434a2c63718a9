# Prints the newest usable interpreter from Python 3.11 on. A name on PATH may be a shim that does not run, so each is tried.
for minor in 14 13 12 11; do
    for python in "python3.$minor" "$HOME"/.pyenv/versions/3."$minor".*/bin/python3 python3; do
        if "$python" -c "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, $minor))" 2>/dev/null; then
            command -v "$python"
            exit 0
        fi
    done
done
