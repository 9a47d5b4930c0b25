// Package forecast estimates how likely it is that the next connection to a host
// fails. It needs the standard library only.
//
//	m, err := forecast.New(forecast.Default)
//	...
//	m.Learn(time.Now(), err != nil) // after each attempt to connect
//	p := m.Predict(time.Now())      // before the next one
//
// Read [Model] first. Keep one model for each host and protocol: what is learned of
// one says nothing about another. What counts as a failure is the caller's choice;
// package ftpx counts attempts to connect that the line or the host has ended, and
// neither a refused login nor a caller that gave up.
//
// A forecast orders what is otherwise equal, and warns. Do not refuse a connection
// because of one: a host that is never tried is never seen to have recovered.
//
// docs/forecast.md compares the models on generated and on recorded histories and
// says why none of them is a neural network. Where failures are independent of one
// another and of the time, no model can beat the base rate, and none here claims to.
package forecast
