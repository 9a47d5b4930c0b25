// Package job is what the commands that run jobs share: the configuration file, the
// lock, the report, and the run itself.
//
// Read file first, which is the configuration file, then [Job], then [Job.Run]. It uses the public face of packages
// ftpx and ftpx/folder alone, as a program of yours would.
package job
