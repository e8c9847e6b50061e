# shellcheck shell=bash
# What every script at the root needs of its environment. Sourced, with $root set.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export DOTNET_GENERATE_ASPNET_CERTIFICATE=false DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true
# Build servers outlive the build and keep its output open: a pipe behind us would never end.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
# Waiting OpenMP threads that spin starve whoever else is on the machine.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}

# Without a home directory that can be written to, dotnet and NuGet keep their things beside the build.
if [[ -z ${HOME:-} || ! -d $HOME || ! -w $HOME ]]; then
    export HOME=$root/artifacts/home
    mkdir -p "$HOME"
fi

require_dotnet() {
    if ! command -v dotnet >/dev/null; then
        echo "$(basename "$0"): the .NET 10 SDK is missing: no 'dotnet' on the PATH (https://dotnet.microsoft.com/download)" >&2
        exit 1
    fi
    if ! (cd "$root" && dotnet --version >/dev/null 2>&1); then
        echo "$(basename "$0"): the .NET 10 SDK is missing: found $(dotnet --list-sdks | tr '\n' ' '), global.json asks for 10.0" >&2
        exit 1
    fi
}
