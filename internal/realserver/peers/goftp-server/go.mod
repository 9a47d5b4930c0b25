module github.com/seed01fc2e40/go-ftpx/internal/realserver/peers/goftp-server

go 1.26

require goftp.io/server/v2 v2.0.3
