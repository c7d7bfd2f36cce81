package sandbox

import (
	"context"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"opensaves-soak/exporter/metric"
	"opensaves-soak/opensaves/grpc/api"
)

// healthName is what upstream calls itself to health checks, beside "".
const healthName = "grpc.health.v1.opensaves"

// GRPCServer returns a server of the gRPC surface, with reflection and health.
// The caller serves and stops it.
func (s *Sandbox) GRPCServer(options ...grpc.ServerOption) *grpc.Server {
	server, _ := s.grpcServer(options...)
	return server
}

func (s *Sandbox) grpcServer(options ...grpc.ServerOption) (*grpc.Server, *health.Server) {
	server := grpc.NewServer(append([]grpc.ServerOption{
		grpc.Creds(plain{insecure.NewCredentials()}),
		grpc.UnaryInterceptor(s.unary),
		grpc.StreamInterceptor(s.stream),
		grpc.KeepaliveParams(keepalive.ServerParameters{ // upstream's
			MaxConnectionIdle: 5 * time.Minute, MaxConnectionAge: 12 * time.Hour, MaxConnectionAgeGrace: 5 * time.Minute,
			Time: time.Hour, Timeout: 20 * time.Second,
		}),
	}, options...)...)
	api.RegisterOpenSavesServer(server, &service{sandbox: s, database: s.database})
	reflection.Register(server)
	checks := health.NewServer()
	checks.SetServingStatus(healthName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(server, checks)
	return server, checks
}

// service is the gRPC surface.
type service struct {
	api.UnimplementedOpenSavesServer

	sandbox  *Sandbox
	database *database
}

var operations = map[string]metric.Operation{
	api.OpenSaves_Ping_FullMethodName:                     metric.Ping,
	api.OpenSaves_CreateStore_FullMethodName:              metric.CreateStore,
	api.OpenSaves_GetStore_FullMethodName:                 metric.GetStore,
	api.OpenSaves_ListStores_FullMethodName:               metric.ListStores,
	api.OpenSaves_DeleteStore_FullMethodName:              metric.DeleteStore,
	api.OpenSaves_CreateRecord_FullMethodName:             metric.CreateRecord,
	api.OpenSaves_GetRecord_FullMethodName:                metric.GetRecord,
	api.OpenSaves_GetRecords_FullMethodName:               metric.GetRecords,
	api.OpenSaves_QueryRecords_FullMethodName:             metric.QueryByOwner,
	api.OpenSaves_UpdateRecord_FullMethodName:             metric.UpdateRecord,
	api.OpenSaves_DeleteRecord_FullMethodName:             metric.DeleteRecord,
	api.OpenSaves_CreateBlob_FullMethodName:               metric.CreateBlob,
	api.OpenSaves_GetBlob_FullMethodName:                  metric.GetBlob,
	api.OpenSaves_DeleteBlob_FullMethodName:               metric.DeleteBlob,
	api.OpenSaves_CreateChunkedBlob_FullMethodName:        metric.CreateChunkedBlob,
	api.OpenSaves_CreateChunkUrls_FullMethodName:          metric.CreateChunkURLs,
	api.OpenSaves_UploadChunk_FullMethodName:              metric.UploadChunk,
	api.OpenSaves_CommitChunkedUpload_FullMethodName:      metric.CommitChunkedUpload,
	api.OpenSaves_AbortChunkedUpload_FullMethodName:       metric.AbortChunkedUpload,
	api.OpenSaves_GetBlobChunk_FullMethodName:             metric.GetBlobChunk,
	api.OpenSaves_CompareAndSwap_FullMethodName:           metric.CompareAndSwap,
	api.OpenSaves_CompareAndSwapGreaterInt_FullMethodName: metric.CompareAndSwapGreater,
	api.OpenSaves_CompareAndSwapLessInt_FullMethodName:    metric.CompareAndSwapLess,
	api.OpenSaves_AtomicAddInt_FullMethodName:             metric.AtomicAdd,
	api.OpenSaves_AtomicSubInt_FullMethodName:             metric.AtomicSub,
	api.OpenSaves_AtomicInc_FullMethodName:                metric.AtomicInc,
	api.OpenSaves_AtomicDec_FullMethodName:                metric.AtomicDec,
}

// operationOf tells what a unary request is; health and reflection are no operation.
func operationOf(method string, request any) (metric.Operation, bool) {
	if query, ok := request.(*api.QueryRecordsRequest); ok {
		return queryOperation(query), true
	}
	op, ok := operations[method]
	return op, ok
}

func (s *Sandbox) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	op, ours := operationOf(info.FullMethod, request)
	if !ours {
		return handle(ctx, request)
	}
	if err := s.arrive(ctx, op); err != nil {
		return nil, statusOf(err)
	}
	response, err := handle(ctx, request)
	if s.plan.Load().Cut() {
		hangUp(ctx)
	}
	return response, statusOf(err)
}

func (s *Sandbox) stream(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	op, ours := operations[info.FullMethod]
	if !ours {
		return handle(server, stream)
	}
	if err := s.arrive(stream.Context(), op); err != nil {
		return statusOf(err)
	}
	if s.plan.Load().Cut() {
		stream = &cutStream{ServerStream: stream}
	}
	return statusOf(handle(server, stream))
}

// cutStream hangs up before its second message; before the first where that is
// the only one.
type cutStream struct {
	grpc.ServerStream
	sent int
}

func (c *cutStream) SendMsg(m any) error {
	if _, only := m.(*api.GetBlobResponse); !only || c.sent > 0 {
		hangUp(c.Context())
	}
	c.sent++
	return c.ServerStream.SendMsg(m)
}

// statusOf returns an error as the wire has it.
func statusOf(err error) error {
	var fake injected
	switch {
	case err == nil:
		return nil
	case errors.As(err, &fake):
		return status.Error(codes.Code(fake), fake.Error())
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	}
	return err
}

// plain are no credentials, but a way back to the connection.
type plain struct {
	credentials.TransportCredentials
}

func (plain) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return conn, link{credentials.CommonAuthInfo{SecurityLevel: credentials.NoSecurity}, conn}, nil
}

func (p plain) Clone() credentials.TransportCredentials { return p }

type link struct {
	credentials.CommonAuthInfo
	conn net.Conn
}

func (link) AuthType() string { return "insecure" }

// hangUp cuts the connection that a request came on.
func hangUp(ctx context.Context) {
	if from, ok := peer.FromContext(ctx); ok {
		if l, ok := from.AuthInfo.(link); ok {
			_ = l.conn.Close() // cut on purpose
		}
	}
}
