// Package httptalk holds HTTP/1.1 conversations on a connection that a check opened: it sends a
// request, reads the head of the answer within bounds, says in words what went wrong, and puts
// the conversation into a transcript. What is asked and how the answer is judged is the matter of
// the kinds that use it.
package httptalk
