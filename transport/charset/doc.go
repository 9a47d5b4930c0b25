// Package charset is for servers whose names are not in UTF-8 but in GBK,
// Shift-JIS, Windows-1252 or another legacy character set: [New] puts itself
// before a connection, so that everything above it sees and gives UTF-8.
//
// No name changes on its way there and back, and no two names are taken for one:
//
//   - A path with a character that the set does not have is refused with
//     [transport.KindName] before anything is sent.
//   - So is a path that would be written like another one, such as one that holds
//     the bytes of a character and not the character.
//   - A byte in a listing that is part of no character stays the byte that it
//     is. The name then is not valid UTF-8, and reaches the very same file.
//   - A name of which not even that holds begins with NUL. No operation takes
//     it: it is to be told of, and not to be used.
//
// Nothing is ever replaced by U+FFFD in a name. Names are checked after they have
// been decoded: the second byte of a character may be 0x5C or 0x7C, which alone
// are "\" and "|", and the folder that a file is put into sees the character.
//
// Without a character set, which is the rule, strings are the server's bytes:
// names in UTF-8 are readable, and others are passed on as they are in both
// directions, so that they reach the same files and only look odd.
package charset
