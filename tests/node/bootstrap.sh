#!/bin/sh
# Makes the Docker image of a node from its distribution's packages alone, where no image can be pulled (needs root, and a
# debootstrap that knows the release and its keys):
#   tests/node/bootstrap.sh gen3-uploads-node:debian12
#   tests/node/bootstrap.sh gen3-uploads-node:ubuntu24.04 noble main,universe <Ubuntu's archive>
#   MOLECULE_NODE_IMAGE=gen3-uploads-node:ubuntu24.04 make molecule
set -eu
image=$1 suite=${2:-bookworm} components=${3:-main}
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --components="$components" \
    --include=systemd,systemd-sysv,python3,python3-apt,sudo,ca-certificates,iproute2,dbus "$suite" "$root" ${4:+"$4"} >&2
tar -C "$root" -c . | docker import --change 'CMD ["/sbin/init"]' --change 'ENV container=docker' - "$image"
