using Polyseme.Cli;

ThreadLimit.Apply(args);
using var interrupt = new Interrupt();
return CommandLine.Run(args, Terminal.OfProcess(), interrupt.Token);
