using Polyseme.Cli;

ThreadLimit.Apply(ThreadLimit.Asked(args) ?? ResumeCommand.ThreadsOf(args));
using var interrupt = new Interrupt();
return CommandLine.Run(args, Terminal.OfProcess(), interrupt.Token);
