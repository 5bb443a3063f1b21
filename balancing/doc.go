// Package balancing chooses a server for each client connection.
package balancing
