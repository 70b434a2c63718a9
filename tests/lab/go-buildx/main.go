// Docker's plugin buildx with the one driver that builds in the daemon itself: for machines whose packages lack the
// plugin. The project's own program links drivers of Kubernetes and others, and takes twice as long to build.
package main

import (
	"fmt"
	"os"

	"github.com/docker/buildx/commands"
	_ "github.com/docker/buildx/driver/docker"
	"github.com/docker/buildx/version"
	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli-plugins/plugin"
	"github.com/docker/cli/cli/command"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto"
)

func main() {
	docker, err := command.NewDockerCli()
	if err == nil {
		err = plugin.RunPlugin(docker, commands.NewRootCmd("buildx", true, docker),
			metadata.Metadata{SchemaVersion: "0.1.0", Vendor: "gen3.uploads", Version: version.Version})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR:", err)
		os.Exit(1)
	}
}
