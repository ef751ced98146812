// Package grpcprobe asks a server by the health protocol of gRPC
// (grpc.health.v1) whether it is well. It is a probe as those of
// [github.com/coppice-go/coppice/child/probe] are, in a module of its own, so
// that who needs no gRPC does not get it.
//
//	ping := grpcprobe.Health{Target: "localhost:9090", Service: "shop.Orders"}.Ping
//
// # Guarantees
//
// Each of these sentences is the name of a test.
//
//   - A server is well that says it serves.
//   - No ping outlives its deadline.
//   - A ping leaves nothing behind: no goroutine and no connection.
//   - A failure is one short line and shows no secret.
//   - No proxy is used that the environment names.
//   - A mistake is told and nothing is asked.
package grpcprobe
