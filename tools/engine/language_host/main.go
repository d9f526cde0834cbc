// Runs Pulumi programs written in Python, for machines that can't download the official `pulumi-language-python`.
//
// The engine starts this process, reads its port from standard output and calls it over gRPC. The main method is
// `Run`: it starts the program with the SDK's own runner, `pulumi-language-python-exec`, which `tools/setup` copies to
// the same folder. The program inherits standard output and error, and the engine shows them.
//
// Not supported: poetry and uv as toolchains, debuggers, code generation, and plugins and policies written in Python.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The runner's exit code after it has logged the program's error, to which the engine then adds nothing.
const errorAlreadyShown = 32

// In bytes. The engine and the SDK have the same limit.
const messageLimit = 400 * 1024 * 1024

const dependencies = `
import importlib.metadata, json, re
required, found = set(), {}
for each in importlib.metadata.distributions():
    found[each.metadata["Name"]] = each.version
    for line in each.requires or ():
        required.add(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower().replace("_", "-"))
direct = {name: name.lower().replace("_", "-") not in required for name in found}
print(json.dumps([
    {"name": name, "version": version, "direct": direct[name]} for name, version in sorted(found.items())
]))
`

// virtualenvOf returns the virtual environment in Pulumi.yaml, whose path is relative to that file, or "".
func virtualenvOf(info *rpc.ProgramInfo) string {
	named := info.GetOptions().GetFields()["virtualenv"].GetStringValue()
	if named == "" || filepath.IsAbs(named) {
		return named
	}
	return filepath.Join(info.GetRootDirectory(), named)
}

// python returns the interpreter to use without a virtual environment.
func python() string {
	if named := os.Getenv("PULUMI_PYTHON_CMD"); named != "" {
		return named
	}
	return "python3"
}

// pythonOf returns the program's interpreter, or an error for the user.
func pythonOf(info *rpc.ProgramInfo) (string, error) {
	venv := virtualenvOf(info)
	if venv == "" {
		return python(), nil
	}
	there := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(there); err != nil {
		return "", fmt.Errorf("The 'virtualenv' option in Pulumi.yaml is '%s', and there is no virtual environment "+
			"there. Run `pulumi install`, or change the option.", venv)
	}
	return there, nil
}

// environmentOf returns the program's environment, in which the virtual environment's commands come first on PATH. If a
// variable occurs twice, the last value counts.
func environmentOf(info *rpc.ProgramInfo) []string {
	env := os.Environ()
	if venv := virtualenvOf(info); venv != "" {
		env = without(env, "PYTHONHOME")
		path := filepath.Join(venv, "bin") + string(os.PathListSeparator) + os.Getenv("PATH")
		env = append(env, "VIRTUAL_ENV="+venv, "PATH="+path)
	}
	// The engine is on this machine, but with http_proxy the SDK's gRPC would use that proxy to reach it.
	if _, set := os.LookupEnv("no_grpc_proxy"); !set {
		env = append(env, "no_grpc_proxy=127.0.0.1")
	}
	return env
}

func without(env []string, name string) []string {
	kept := []string{}
	for _, each := range env {
		if !strings.HasPrefix(each, name+"=") {
			kept = append(kept, each)
		}
	}
	return kept
}

// host serves the engine's calls to a language.
type host struct {
	rpc.UnimplementedLanguageRuntimeServer
	mutex    sync.Mutex
	engine   string
	children map[*os.Process]bool
}

// Handshake stores the engine's address, in case the command line has none.
func (h *host) Handshake(
	_ context.Context, request *rpc.LanguageHandshakeRequest,
) (*rpc.LanguageHandshakeResponse, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.engine = request.GetEngineAddress()
	return &rpc.LanguageHandshakeResponse{}, nil
}

// GetPluginInfo returns the version of the SDK.
func (h *host) GetPluginInfo(context.Context, *emptypb.Empty) (*rpc.PluginInfo, error) {
	return &rpc.PluginInfo{Version: version.Version}, nil
}

// GetRequiredPackages returns none: the engine gets the plugin of another package when the program first uses it.
func (h *host) GetRequiredPackages(
	context.Context, *rpc.GetRequiredPackagesRequest,
) (*rpc.GetRequiredPackagesResponse, error) {
	return &rpc.GetRequiredPackagesResponse{}, nil
}

// GetRequiredPlugins is the same call of older engines.
func (h *host) GetRequiredPlugins(
	context.Context, *rpc.GetRequiredPluginsRequest,
) (*rpc.GetRequiredPluginsResponse, error) {
	return &rpc.GetRequiredPluginsResponse{}, nil
}

// Run runs the program to its end.
func (h *host) Run(_ context.Context, request *rpc.RunRequest) (*rpc.RunResponse, error) {
	info := request.GetInfo()
	python, err := pythonOf(info)
	if err != nil {
		return &rpc.RunResponse{Error: err.Error()}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program := info.GetEntryPoint()
	if program == "" {
		program = request.GetProgram()
	}
	values := map[string]string{}
	maps.Copy(values, request.GetConfig())
	config, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	secretKeys, err := json.Marshal(append([]string{}, request.GetConfigSecretKeys()...))
	if err != nil {
		return nil, err
	}
	h.mutex.Lock()
	engine := h.engine
	h.mutex.Unlock()
	arguments := []string{
		"-u", filepath.Join(filepath.Dir(self), "pulumi-language-python-exec"),
		"--monitor", request.GetMonitorAddress(),
		"--engine", engine,
		"--project", request.GetProject(),
		"--stack", request.GetStack(),
		"--organization", request.GetOrganization(),
		"--root_directory", info.GetRootDirectory(),
		"--pwd", request.GetPwd(),
		"--dry_run", strconv.FormatBool(request.GetDryRun()),
		"--parallel", strconv.Itoa(int(request.GetParallel())),
		program,
	}
	command := exec.Command(python, append(arguments, request.GetArgs()...)...)
	command.Dir = request.GetPwd()
	command.Env = append(environmentOf(info),
		"PULUMI_CONFIG="+string(config), "PULUMI_CONFIG_SECRET_KEYS="+string(secretKeys))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	// A separate group: the engine ends this process with SIGINT to its group, and a program that is about to end
	// anyway would show the traceback of a KeyboardInterrupt.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = h.run(command)
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &rpc.RunResponse{}, nil
	case !errors.As(err, &ended):
		return &rpc.RunResponse{Error: fmt.Sprintf("could not start %s: %v", python, err)}, nil
	case ended.ExitCode() == errorAlreadyShown:
		return &rpc.RunResponse{Bail: true}, nil
	}
	how := fmt.Sprintf("with exit code %d", ended.ExitCode())
	if by := ended.Sys().(syscall.WaitStatus); by.Signaled() {
		how = "by " + unix.SignalName(by.Signal())
	}
	return &rpc.RunResponse{Error: "the program ended " + how}, nil
}

// output sends the output of a command to the engine.
type output struct {
	stream grpc.ServerStreamingServer[rpc.InstallDependenciesResponse]
}

func (o output) Write(text []byte) (int, error) {
	return len(text), o.stream.Send(&rpc.InstallDependenciesResponse{Stdout: text})
}

// InstallDependencies creates the virtual environment in Pulumi.yaml, and installs requirements.txt into it.
func (h *host) InstallDependencies(
	request *rpc.InstallDependenciesRequest, stream grpc.ServerStreamingServer[rpc.InstallDependenciesResponse],
) error {
	info := request.GetInfo()
	commands := [][]string{}
	if venv := virtualenvOf(info); venv != "" {
		if _, err := pythonOf(info); err != nil {
			commands = append(commands, []string{python(), "-m", "venv", venv})
		}
	}
	if _, err := os.Stat(filepath.Join(info.GetProgramDirectory(), "requirements.txt")); err == nil {
		with := python()
		if venv := virtualenvOf(info); venv != "" {
			with = filepath.Join(venv, "bin", "python")
		}
		commands = append(commands, []string{with, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"})
	}
	for _, each := range commands {
		command := exec.Command(each[0], each[1:]...)
		command.Dir = info.GetProgramDirectory()
		// With the same writer for both, only one goroutine sends.
		shown := output{stream}
		command.Stdout, command.Stderr = shown, shown
		if err := h.run(command); err != nil {
			return status.Errorf(codes.Unknown, "`%s` failed", strings.Join(each, " "))
		}
	}
	return nil
}

// GetProgramDependencies lists the packages of the program's Python, for `pulumi about`.
func (h *host) GetProgramDependencies(
	_ context.Context, request *rpc.GetProgramDependenciesRequest,
) (*rpc.GetProgramDependenciesResponse, error) {
	python, err := pythonOf(request.GetInfo())
	if err != nil {
		return nil, err
	}
	answer, err := exec.Command(python, "-c", dependencies).Output()
	if err != nil {
		return nil, err
	}
	var found []struct {
		Name, Version string
		Direct        bool
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		return nil, err
	}
	response := &rpc.GetProgramDependenciesResponse{}
	for _, each := range found {
		if each.Direct || request.GetTransitiveDependencies() {
			known := &rpc.DependencyInfo{Name: each.Name, Version: each.Version}
			response.Dependencies = append(response.Dependencies, known)
		}
	}
	return response, nil
}

// About returns the program's Python, for `pulumi about` and the start of each `up`.
func (h *host) About(_ context.Context, request *rpc.AboutRequest) (*rpc.AboutResponse, error) {
	python, err := pythonOf(request.GetInfo())
	if err != nil {
		return nil, err
	}
	ask := "import platform, sys; print(sys.executable); print(platform.python_version())"
	answer, err := exec.Command(python, "-c", ask).Output()
	if err != nil {
		return nil, err
	}
	executable, rest, _ := strings.Cut(string(answer), "\n")
	return &rpc.AboutResponse{Executable: executable, Version: strings.TrimSpace(rest)}, nil
}

// RuntimeOptionsPrompts returns no questions for `pulumi new`.
func (h *host) RuntimeOptionsPrompts(
	context.Context, *rpc.RuntimeOptionsRequest,
) (*rpc.RuntimeOptionsResponse, error) {
	return &rpc.RuntimeOptionsResponse{}, nil
}

// GenerateProgram returns a hint instead of a program.
func (h *host) GenerateProgram(
	context.Context, *rpc.GenerateProgramRequest,
) (*rpc.GenerateProgramResponse, error) {
	hint := "# Code is generated by the official pulumi-language-python only: write the resource by hand.\n"
	return &rpc.GenerateProgramResponse{Source: map[string][]byte{"__main__.py": []byte(hint)}}, nil
}

// Cancel does nothing: the engine refuses the program's next registration, and then the program ends.
func (h *host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// run runs a command to its end.
func (h *host) run(command *exec.Cmd) error {
	h.mutex.Lock()
	err := command.Start()
	if err == nil {
		h.children[command.Process] = true
	}
	h.mutex.Unlock()
	if err != nil {
		return err
	}
	err = command.Wait()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.children, command.Process)
	return err
}

// leave ends the process and its children, without a message, which would appear in the user's output.
func (h *host) leave() {
	h.mutex.Lock()
	for each := range h.children {
		_ = each.Kill()
	}
	os.Exit(0)
}

// main serves until the engine ends it, or is gone.
func main() {
	parent := os.Getppid()
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGINT, syscall.SIGTERM)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	h := &host{engine: os.Args[len(os.Args)-1], children: map[*os.Process]bool{}}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(messageLimit), grpc.MaxSendMsgSize(messageLimit))
	rpc.RegisterLanguageRuntimeServer(server, h)
	go func() { _ = server.Serve(listener) }()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for {
		select {
		case <-over:
			h.leave()
		case <-time.After(100 * time.Millisecond):
			if os.Getppid() != parent {
				h.leave()
			}
		}
	}
}
