package ftpx

// Check reports what is wrong with a configuration, as [New] would before it connects; nil if
// nothing is. It connects to nothing. The error names the field and the remedy.
func (cfg Config) Check() error {
	if _, err := cfg.withDefaults(); err != nil {
		return &Error{Op: "open", Outcome: NotDone, Err: asInvalid(err)}
	}
	return nil
}
